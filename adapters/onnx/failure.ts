const lengthLimit = 300

/**
 * ONNX Runtime's reason as one line that a caller may read: without the folder that the model lies in or other
 * absolute paths, which tell of the machine, and without the places in its own source that it puts before its
 * sentences.
 *
 * @param location the model's path or URL, where the failure was in loading it
 */
export function describeFailure(error: unknown, location?: string): string {
  const text = error instanceof Error ? error.message : String(error)
  const short = withoutSourcePlaces(
    withoutFolder(text.slice(0, 4096), location)
      .replaceAll(/\s+/g, ' ')
      .replace(/^Load model from .*? failed: ?/, ''),
  )
    .replaceAll(/\[ONNXRuntimeError\] : \d+ : \w+ : /g, '')
    // Only between double quotes: unquoted or single-quoted it may be the name of a node, such as /conv1/Conv.
    .replaceAll(/"(?:[A-Za-z]:)?[\\/][^"]*?([^\\/"]+)[\\/]?"/g, '"$1"')
    .replace(/[.\s]+$/, '')
    .trim()
  return short.length > lengthLimit ? `${short.slice(0, lengthLimit)}…` : short || 'it gave no reason'
}

/** The last segment of a path or URL: what a message may say of a model's place. */
export function fileNameOf(location: string): string {
  return /[^\\/]+(?=[\\/]*$)/.exec(location.replace(/[?#].*$/, ''))?.[0] ?? location
}

function withoutFolder(text: string, location: string | undefined): string {
  if (location === undefined) return text
  const fileName = fileNameOf(location)
  const folder = location.slice(0, location.lastIndexOf(fileName))
  const named = text.replaceAll(location, fileName)
  return folder === '' ? named : named.replaceAll(folder, '')
}

/** Takes out `file.cc:12 Function` and, with the file's full path, `/…/file.cc:12 Class::Function(…)`. */
function withoutSourcePlaces(text: string): string {
  const place = /\S+\.(?:cc|cpp|h|hpp):\d+ /.exec(text)
  if (place === null) return text
  const rest = text.slice(place.index + place[0].length)
  const sentence = /[\\/]/.test(place[0]) ? afterSignature(rest) : rest.replace(/^\w+ /, '')
  return text.slice(0, place.index) + withoutSourcePlaces(sentence)
}

function afterSignature(text: string): string {
  let depth = 0
  for (let position = 0; position < text.length; position++) {
    if (text[position] === '(') depth++
    else if (text[position] === ')' && --depth === 0) {
      return text.slice(position + 1).replace(/^(?:::<lambda\([^)]*\)>| const| \[with [^\]]*\])*\s*/, '')
    }
  }
  return text
}
