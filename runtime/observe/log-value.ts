import { isSecretName, redacted, redactText } from './redaction.ts'

/** What a log line can hold: what JSON can say. */
export type LogValue = string | number | boolean | null | readonly LogValue[] | LogRecord

/** Log values by name. */
export interface LogRecord {
  readonly [name: string]: LogValue
}

const maxTextLength = 8192
const maxDepth = 6
const maxItems = 64
const maxValues = 512

/**
 * Makes plain, bounded, secret-free data of any fields: long texts, lists and deep objects are cut, cycles and
 * unreadable properties are named, bytes and maps are told by their size, secrets are replaced.
 *
 * Errors become their name, message, code, details and cause; their stack too where `stacks` is set. Never throws.
 */
export function toLogRecord(
  fields: Readonly<Record<string, unknown>>,
  options: { readonly stacks: boolean },
): LogRecord {
  return new LogValueWriter(options.stacks).writeRecord(fields)
}

/** Makes a bounded text without secrets of a text. */
export function toLogText(text: string): string {
  return redactText(text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text)
}

class LogValueWriter {
  readonly #stacks: boolean
  readonly #ancestors: Set<object> = new Set()
  #left = maxValues

  constructor(stacks: boolean) {
    this.#stacks = stacks
  }

  writeRecord(record: Readonly<Record<string, unknown>>): LogRecord {
    const names = Object.keys(record)
    const entries: [string, LogValue][] = []
    for (const name of names.slice(0, maxItems)) {
      const value = readSafely(record, name)
      if (value !== undefined) entries.push([toLogText(name), this.#writeNamed(name, value)])
    }
    if (names.length > maxItems) entries.push(['…', `[${names.length - maxItems} more]`])
    return Object.fromEntries(entries)
  }

  #write(value: unknown): LogValue {
    if (this.#left-- <= 0) return '[cut]'
    switch (typeof value) {
      case 'string':
        return toLogText(value)
      case 'number':
        return Number.isFinite(value) ? value : String(value)
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : this.#writeGuarded(value)
      case 'function':
        return '[function]'
      default:
        return toLogText(String(value))
    }
  }

  #writeGuarded(value: object): LogValue {
    if (this.#ancestors.has(value)) return '[circular]'
    if (this.#ancestors.size >= maxDepth) return '[cut]'
    this.#ancestors.add(value)
    try {
      return this.#writeObject(value)
    } catch {
      return '[unreadable]'
    } finally {
      this.#ancestors.delete(value)
    }
  }

  #writeObject(value: object): LogValue {
    if (value instanceof Error) return this.#writeError(value)
    if (value instanceof Date || value instanceof URL) return toLogText(String(value.toJSON()))
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      return `${value.constructor.name}(${value.byteLength} bytes)`
    }
    if (value instanceof Map || value instanceof Set) return `${value.constructor.name}(${value.size})`
    if (Array.isArray(value)) return this.#writeList(value)
    return this.writeRecord(value as Readonly<Record<string, unknown>>)
  }

  #writeList(list: readonly unknown[]): LogValue {
    const items = list.slice(0, maxItems).map((item) => this.#write(item))
    return list.length > maxItems ? [...items, `[${list.length - maxItems} more]`] : items
  }

  // A number or a truth under a secret's name is a count or a presence, not the secret.
  #writeNamed(name: string, value: unknown): LogValue {
    const secret = (typeof value === 'string' || typeof value === 'object') && isSecretName(name)
    return secret && value !== null ? redacted : this.#write(value)
  }

  #writeError(error: Error): LogRecord {
    const facts: Record<string, unknown> = { name: error.name, message: error.message }
    if ('code' in error) facts.code = error.code
    if ('details' in error) facts.details = error.details
    if (error.cause !== undefined) facts.cause = error.cause
    if (error instanceof AggregateError) facts.errors = error.errors
    if (this.#stacks) facts.stack = error.stack
    return this.writeRecord(facts)
  }
}

function readSafely(record: Readonly<Record<string, unknown>>, name: string): unknown {
  try {
    return record[name]
  } catch {
    return '[unreadable]'
  }
}
