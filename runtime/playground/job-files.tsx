import type { Job, JobHandle } from 'isoplex/client'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { FailureNote } from './answer.tsx'
import { type Failure, readFailure } from './failure.ts'
import { formatBytes } from './latency.ts'

type JobFile = Job['files'][number]

const pictureTypes: readonly string[] = ['image/svg+xml', 'image/png']
const mostPictureBytes = 4_000_000
/** Pictures that are shown by themselves; further ones are saved. */
const mostPictures = 8

/** The files of a job, to be saved; pictures among them are shown. */
export function JobFiles({
  job,
  handle,
}: {
  readonly job: Job
  readonly handle: JobHandle
}): JSX.Element | null {
  const [failure, setFailure] = useState<Failure | null>(null)
  const { files } = job
  if (files.length === 0) return null
  const pictures = files.filter(isPicture).slice(0, mostPictures)
  const save = (file: JobFile): void => {
    setFailure(null)
    saveFile(handle, file).catch((error: unknown) => setFailure(readFailure(error)))
  }
  return (
    <section class="card" aria-labelledby="files-title">
      <h2 id="files-title">Files</h2>
      {failure === null ? null : <FailureNote failure={failure} />}
      <ul class="job-files">
        {files.map((file) => (
          <li key={file.name}>
            <code>{file.name}</code>
            <span class="note">
              {file.mediaType}, {formatBytes(file.bytes)}
            </span>
            <button type="button" class="quiet" onClick={() => save(file)} aria-label={`Save ${file.name}`}>
              Save
            </button>
          </li>
        ))}
      </ul>
      {pictures.map((file) => (
        <Picture key={`${file.name} ${file.bytes}`} file={file} handle={handle} />
      ))}
    </section>
  )
}

/**
 * A picture that a job has made. It may be hostile, as an SVG with scripts: it is shown as an image only, in which
 * nothing runs, and has no address any more once it is shown, so that it cannot be opened as a page.
 */
function Picture({ file, handle }: { readonly file: JobFile; readonly handle: JobHandle }): JSX.Element {
  const [url, setUrl] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    const controller = new AbortController()
    let made: string | null = null
    handle.file(file.name, { signal: controller.signal }).then(
      ({ bytes }) => {
        made = URL.createObjectURL(new Blob([bytes], { type: file.mediaType }))
        setUrl(made)
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setProblem(readFailure(error).message)
      },
    )
    return () => {
      controller.abort()
      if (made !== null) URL.revokeObjectURL(made)
    }
  }, [file.name, file.mediaType, handle])
  return (
    <figure class="job-picture">
      <figcaption>{file.name}</figcaption>
      {url === null || problem !== null ? null : (
        <img
          src={url}
          alt={file.name}
          onLoad={() => URL.revokeObjectURL(url)}
          onError={() => setProblem('This is no picture.')}
        />
      )}
      {problem === null ? null : <p class="note">{problem}</p>}
    </figure>
  )
}

function isPicture({ mediaType, bytes }: JobFile): boolean {
  return bytes <= mostPictureBytes && pictureTypes.includes(mediaType.split(';', 1)[0]?.trim() ?? '')
}

/** Saves a file under its name; as bytes of no type, so that a browser opens none of it. */
async function saveFile(handle: JobHandle, { name }: JobFile): Promise<void> {
  const { bytes } = await handle.file(name)
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
