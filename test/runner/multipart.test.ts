import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseMultipart } from '../../runtime/runner/multipart.ts'
import { formBody, formType } from '../replica/form-body.ts'
import { issuesOf } from '../replica/refused.ts'
import { bytesOf } from '../replica/request-head.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('parseMultipart', () => {
  it('reads what a browser writes', async () => {
    const form = new FormData()
    form.append('title', 'häß "quoted"\r\nline')
    form.append('picture', new Blob([Uint8Array.of(0, 13, 10, 255)], { type: 'image/png' }), 'blob')
    form.append('title', '')
    const request = new Request('http://localhost', { method: 'POST', body: form })
    const contentType = request.headers.get('content-type') ?? ''
    const parts = parseMultipart(contentType, new Uint8Array(await request.arrayBuffer()))
    expect(parts.map(({ bytes, ...part }) => ({ ...part, bytes: [...bytes] }))).toEqual([
      {
        name: 'title',
        fileName: null,
        contentType: null,
        mediaType: null,
        bytes: [...bytesOf('häß "quoted"\r\nline')],
      },
      {
        name: 'picture',
        fileName: 'blob',
        contentType: 'image/png',
        mediaType: 'image/png',
        bytes: [0, 13, 10, 255],
      },
      { name: 'title', fileName: null, contentType: null, mediaType: null, bytes: [] },
    ])
  })

  it('believes the media type that the client gave, not the ending of the name', () => {
    const [part] = parseMultipart(
      formType,
      formBody([
        { name: 'a', value: 'x', more: '; filename="a.png"\r\ncontent-TYPE:Text/CSV; charset=utf-8' },
      ]),
    )
    expect(part).toMatchObject({
      fileName: 'a.png',
      contentType: 'Text/CSV; charset=utf-8',
      mediaType: 'text/csv',
    })
  })

  it.each([
    ['quotes as browsers write them', 'a%22b%0D%0Ac', 'a"b\r\nc'],
    ['quotes as curl writes them', 'a\\"b\\\\c', 'a"b\\c'],
    ['a path of Windows', 'C:\\new\\a.png', 'C:\\new\\a.png'],
    ['other percent signs', '100%25', '100%25'],
    ['letters of any language', 'häß-日本', 'häß-日本'],
    ['a semicolon', 'a; filename=b', 'a; filename=b'],
  ])('reads a name with %s', (_, written, name) => {
    const [part] = parseMultipart(formType, formBody([{ name: written, value: '' }]))
    expect(part).toMatchObject({ name, fileName: null })
  })

  it('reads names without quotes, and other parameters among them', () => {
    const body = bytesOf(
      '--edge\r\nContent-Disposition: Form-Data; size=1; FileName=a.png; Name=a\r\n\r\nx\r\n--edge--',
    )
    expect(parseMultipart(formType, body)).toMatchObject([{ name: 'a', fileName: 'a.png' }])
  })

  it.each([
    [
      'a preamble',
      'to whom it may concern\r\n--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--edge--',
    ],
    ['an epilogue', '--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--edge--\r\nand so on'],
    ['spaces after a boundary', '--edge \t\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--edge--'],
  ])('takes %s', (_, body) => {
    const parts = parseMultipart(formType, bytesOf(body))
    expect(parts.map(({ name, bytes }) => [name, text(bytes)])).toEqual([['a', 'x']])
  })

  it.each([
    'multipart/form-data; boundary="edge"',
    'multipart/form-data; Boundary=edge; charset=utf-8',
    'Multipart/Form-Data;boundary=edge',
    'multipart/form-data; charset=utf-8; boundary=edge',
  ])('reads the boundary of %s', (contentType) => {
    expect(parseMultipart(contentType, formBody([{ name: 'a', value: '1' }]))).toHaveLength(1)
  })

  it('takes a form without a field', () => {
    expect(parseMultipart(formType, bytesOf('--edge--\r\n'))).toEqual([])
  })

  it('reads any bytes that do not hold the boundary, in any number of parts', () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      // What is nearly a boundary.
      fc
        .array(fc.constantFrom('\r', '\n', '\r\n', '--', '-', 'edge', 'edg', 'x'), { maxLength: 8 })
        .map((pieces) => bytesOf(pieces.join(''))),
    )
    const holdsBoundary = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('\r\n--edge')
    const contents = fc.array(content, { maxLength: 5 }).filter((list) => !list.some(holdsBoundary))
    fc.assert(
      fc.property(contents, (list) => {
        const fields = list.map((value, index) => ({ name: `f${index}`, value, more: '; filename="x"' }))
        const parts = parseMultipart(formType, formBody(fields))
        expect(parts.map(({ name, bytes }) => [name, [...bytes]])).toEqual(
          fields.map(({ name, value }) => [name, [...value]]),
        )
      }),
    )
  })

  const whole = formBody([{ name: 'a', value: 'x' }])
  const part = (headers: string): Uint8Array<ArrayBuffer> =>
    bytesOf(`--edge\r\n${headers}\r\n\r\nx\r\n--edge--`)
  it.each<[string, string, Uint8Array<ArrayBuffer>]>([
    ['no boundary in its header', 'multipart/form-data', whole],
    ['an empty boundary', 'multipart/form-data; boundary=', whole],
    ['a boundary in open quotes', 'multipart/form-data; boundary="edge', whole],
    ['a boundary of more than 70 characters', `multipart/form-data; boundary=${'e'.repeat(71)}`, whole],
    ['another boundary', 'multipart/form-data; boundary=other', whole],
    ['no end', formType, whole.slice(0, -4)],
    ['nothing', formType, new Uint8Array()],
    ['no form', formType, bytesOf('{"a":"x"}')],
    ['line ends of another kind', formType, bytesOf(text(whole).replaceAll('\r\n', '\n'))],
    ['something on the line of a boundary', formType, bytesOf(text(whole).replace('--edge', '--edgeless'))],
    ['a part without headers', formType, bytesOf('--edge\r\n\r\nx\r\n--edge--')],
    [
      'a part whose headers do not end',
      formType,
      bytesOf('--edge\r\nContent-Disposition: form-data; name="a"'),
    ],
    ['a part without a disposition', formType, part('Content-Type: text/plain')],
    ['a part of another disposition', formType, part('Content-Disposition: attachment; name="a"')],
    ['a part without a name', formType, part('Content-Disposition: form-data; filename="a"')],
    ['a part with a name in open quotes', formType, part('Content-Disposition: form-data; name="a')],
    ['a header that is none', formType, part('Content-Disposition: form-data; name="a"\r\nx')],
    [
      'a header that goes on in the next line',
      formType,
      part('Content-Disposition: form-data;\r\n name="a"'),
    ],
    ['headers of 20 KB', formType, part(`Content-Disposition: form-data; name="${'a'.repeat(20_000)}"`)],
    ['headers that are no UTF-8', formType, Buffer.from('--edge\r\nA: \xff\r\n\r\nx\r\n--edge--', 'latin1')],
  ])('refuses a body with %s', async (_, contentType, body) => {
    expect(await issuesOf(() => parseMultipart(contentType, new Uint8Array(body)))).toEqual([
      { path: '', message: 'The body is not multipart/form-data with the boundary that its header names' },
    ])
  })

  it('refuses what it does not read, and never fails in another way', () => {
    const piece = fc.constantFrom(
      '--edge',
      '--edge--',
      '\r\n',
      '\r\n\r\n',
      '\n',
      'Content-Disposition: form-data',
      '; name="a"',
      '; name=',
      '; filename="',
      '\0',
      'a',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          expect(Array.isArray(parseMultipart(formType, bytesOf(pieces.join(''))))).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT_INVALID' })
        }
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    [
      'boundaries that break off',
      `--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n${'\r\n--edg'.repeat(1_000_000)}`,
    ],
    ['dashes', '-'.repeat(10_000_000)],
    ['line ends', '\r\n'.repeat(5_000_000)],
    ['a boundary that starts again and again', `--edge\r\nx: ${'\r\n--edge\r\nx: '.repeat(500_000)}`],
  ])('reads megabytes of %s in little time', (_, body) => {
    const bytes = bytesOf(body)
    const started = performance.now()
    for (const contentType of [formType, `multipart/form-data; boundary=${'-'.repeat(70)}`]) {
      try {
        expect(parseMultipart(contentType, bytes)).toEqual([])
      } catch (error) {
        expect(error).toMatchObject({ code: 'INPUT_INVALID' })
      }
    }
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})
