import { concat } from '../../runtime/replica/frame.ts'
import { bytesOf } from './request-head.ts'

/** A field of a form: its headers after `form-data`, and its value. */
export interface FormField {
  readonly name: string
  readonly value: string | Uint8Array
  /** What follows the name: a file name, further headers. */
  readonly more?: string
}

/** The header of {@link formBody}. */
export const formType = 'multipart/form-data; boundary=edge'

/** Writes a form by hand, so that a test may write a bad one. */
export function formBody(fields: readonly FormField[]): Uint8Array<ArrayBuffer> {
  const parts = fields.flatMap(({ name, value, more = '' }) => [
    bytesOf(`--edge\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`),
    typeof value === 'string' ? bytesOf(value) : value,
    bytesOf('\r\n'),
  ])
  return concat([...parts, bytesOf('--edge--\r\n')])
}
