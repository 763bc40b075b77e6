import type { WireError } from '../error/wire.ts'

/** What crosses to a service's thread: a question by the name of its method. */
export interface ServiceQuestion {
  readonly id: number
  readonly method: string
  readonly parameters: readonly unknown[]
  /** Whether who asks hears of progress: the first parameter is then to be given an `onProgress`. */
  readonly reports: boolean
}

/** What comes back: any number of reports of progress, then a value or an error. */
export type ServiceAnswer =
  | { readonly id: number; readonly progress: unknown }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }

/** The methods that a thread offers: asynchronous functions over structured-cloneable values. */
export interface ServiceMethods {
  readonly [name: string]: (...parameters: never[]) => Promise<unknown>
}
