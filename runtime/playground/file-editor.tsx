import type { JSX } from 'preact'
import { useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { BoxLayer } from './box-layer.tsx'
import { fileUrlOf, type ReadFile, readFileUrl, takesMediaType } from './file-url.ts'
import { type EditorProps, FormContext, useControl } from './form.tsx'
import { formatBytes } from './latency.ts'
import type { MarkedBox } from './overlay.ts'

/** What files are taken. */
export interface FileEditorProps extends EditorProps {
  readonly mediaTypes: readonly string[]
  readonly maxBytes: number | null
}

/** A file that is picked or dropped, with a preview where it is a picture. */
export function FileEditor({ mediaTypes, maxBytes, ...props }: FileEditorProps): JSX.Element {
  const { value, onChange, pointer, label } = props
  const control = useControl(pointer)
  const { overlay } = useContext(FormContext)
  const [refusal, setRefusal] = useState('')
  const [isOver, setOver] = useState(false)
  const read = useMemo(() => (typeof value === 'string' ? readFileUrl(value) : null), [value])
  const take = async (picked: File | undefined): Promise<void> => {
    if (picked === undefined) return
    const reason = refusalOf(picked, mediaTypes, maxBytes)
    setRefusal(reason)
    if (reason === '') onChange(fileUrlOf(new Uint8Array(await picked.arrayBuffer()), picked.type))
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is beside the button, which keys reach.
    <div
      class={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        void take(event.dataTransfer?.files[0])
      }}
    >
      <input
        {...control}
        type="file"
        aria-label={label}
        accept={mediaTypes.join(',')}
        onChange={({ currentTarget }) => void take(currentTarget.files?.[0])}
      />
      <p class="note">
        or drop a file here: {mediaTypes.join(', ')}
        {maxBytes === null ? '' : `, at most ${formatBytes(maxBytes)}`}
      </p>
      {read === null ? null : <FilePreview file={read} boxes={overlay.boxes} />}
      <div class="wrong-text" aria-live="polite">
        {refusal}
      </div>
    </div>
  )
}

/** A file that is shown. */
export interface FilePreviewProps {
  readonly file: ReadFile
  /** Parts that are marked where it is a picture. @default none */
  readonly boxes?: readonly MarkedBox[]
}

/** What a file is, and how it looks where it is a picture. */
export function FilePreview({ file, boxes = [] }: FilePreviewProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState<{ readonly width: number; readonly height: number } | null>(null)
  useEffect(() => {
    let isCurrent = true
    setSize(null)
    const draw = (bitmap: ImageBitmap): void => {
      const context = canvas.current?.getContext('2d')
      if (isCurrent && canvas.current && context) {
        canvas.current.width = bitmap.width
        canvas.current.height = bitmap.height
        context.drawImage(bitmap, 0, 0)
        setSize({ width: bitmap.width, height: bitmap.height })
      }
      bitmap.close()
    }
    // What is no picture has no preview.
    createImageBitmap(new Blob([file.bytes], { type: file.mediaType ?? '' })).then(draw, () => undefined)
    return () => {
      isCurrent = false
    }
  }, [file])
  return (
    <div class="file-preview">
      <div class={size === null ? 'picture gone' : 'picture'}>
        <canvas ref={canvas} role="img" aria-label="The picture" />
        {size === null || boxes.length === 0 ? null : <BoxLayer {...size} boxes={boxes} />}
      </div>
      <p class="note">
        {file.mediaType ?? 'unknown type'}, {formatBytes(file.bytes.length)}
        {size === null ? '' : `, ${size.width} × ${size.height}`}
      </p>
    </div>
  )
}

function refusalOf(picked: File, mediaTypes: readonly string[], maxBytes: number | null): string {
  if (maxBytes !== null && picked.size > maxBytes) {
    return `${picked.name} has ${formatBytes(picked.size)}; at most ${formatBytes(maxBytes)} are taken`
  }
  if (takesMediaType(mediaTypes, picked.type)) return ''
  return `${picked.name} is ${picked.type || 'of no known type'}; ${mediaTypes.join(', ')} are taken`
}
