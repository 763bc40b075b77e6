import { FormatRegistry } from '@sinclair/typebox'

const date = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/
const time = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i

/** The string formats of JSON Schema that schemas may name, each with its test. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  time: (text) => time.test(text),
  'date-time': (text) => /t/i.test(text[10] ?? '') && isDate(text.slice(0, 10)) && time.test(text.slice(11)),
  email: (text) => text.length <= 254 && /^[^\s@]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(text),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  uri: (text) => /^[a-z][a-z0-9+.-]*:/i.test(text) && URL.canParse(text),
  hostname: (text) =>
    text.length <= 253 &&
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text),
  ipv4: (text) => /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}$/.test(text) && !text.endsWith('.'),
  ipv6: (text) => text.includes(':') && URL.canParse(`http://[${text}]/`),
  byte: (text) => /^([a-z0-9+/]{4})*([a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?$/i.test(text),
}

/** The names of the formats that a schema may use. */
export const formatNames: readonly string[] = Object.freeze(Object.keys(formats))

for (const [name, test] of Object.entries(formats)) {
  // A format that the project registered itself stays as it is.
  if (!FormatRegistry.Has(name)) FormatRegistry.Set(name, test)
}

function isDate(text: string): boolean {
  if (!date.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
