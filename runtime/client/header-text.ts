/**
 * Makes sure that a header can carry a text of the caller's.
 *
 * @throws {TypeError} that quotes the option without the text, which may be a secret.
 */
export function assertHeaderText(option: string, text: string): void {
  if (typeof text === 'string' && /^[\x21-\x7e]+$/.test(text)) return
  throw new TypeError(`"${option}" must be made of visible ASCII characters, without spaces.`)
}
