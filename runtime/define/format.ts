import { FormatRegistry } from '@sinclair/typebox'

const date = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/
const time = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i
const byteOfAddress = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = new RegExp(`^${byteOfAddress}(\\.${byteOfAddress}){3}$`)
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const hostname = new RegExp(`^${label}(\\.${label})*$`, 'i')

/** The string formats of JSON Schema that schemas may name, each with its test. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  time: (text) => time.test(text),
  'date-time': (text) => /t/i.test(text[10] ?? '') && isDate(text.slice(0, 10)) && time.test(text.slice(11)),
  email: isEmail,
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  // A URL parser drops line ends and takes spaces, so what a URI may be made of is tested apart.
  uri: (text) => /^[a-z][a-z0-9+.-]*:[!-~]*$/i.test(text) && URL.canParse(text),
  hostname: isHostname,
  ipv4: (text) => ipv4.test(text),
  ipv6: (text) => /^[0-9a-f:.]{2,45}$/i.test(text) && URL.canParse(`http://[${text}]/`),
  // One run of characters without groups, which the engine gives up on in long texts.
  byte: (text) => text.length % 4 === 0 && /^[a-z0-9+/]*={0,2}$/i.test(text),
}

/** The names of the formats that a schema may use. */
export const formatNames: readonly string[] = Object.freeze(Object.keys(formats))

for (const [name, test] of Object.entries(formats)) {
  // A format that the project registered itself stays as it is.
  if (!FormatRegistry.Has(name)) FormatRegistry.Set(name, test)
}

function isHostname(text: string): boolean {
  return text.length <= 253 && hostname.test(text)
}

function isEmail(text: string): boolean {
  const [local = '', domain = '', ...more] = text.split('@', 3)
  return more.length === 0 && /^\S{1,64}$/.test(local) && text.length <= 254 && isHostname(domain)
}

function isDate(text: string): boolean {
  if (!date.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
