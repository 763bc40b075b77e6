import fc from 'fast-check'

const text = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019-.~'), minLength: 1, maxLength: 4 })
  .filter((segment) => !segment.startsWith('.') && segment !== '-')

/** Any legal route, in the form in which authors write it; few names, so that routes often meet. */
export const route: fc.Arbitrary<string> = fc
  .record({
    segments: fc.array(
      fc.oneof(
        fc.constantFrom('a', 'b', 'ab').map((segment) => ({ text: segment, free: false })),
        text.map((segment) => ({ text: segment, free: false })),
        fc.constant({ text: '', free: true }),
      ),
      { maxLength: 4 },
    ),
    rest: fc.boolean(),
  })
  .map(({ segments, rest }) => {
    const texts = segments.map((segment, index) => (segment.free ? `[p${index}]` : segment.text))
    return `/${[...texts, ...(rest ? ['[...rest]'] : [])].join('/')}`
  })
