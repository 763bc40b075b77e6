import type { JSX } from 'preact'
import { useContext, useMemo, useRef, useState } from 'preact/hooks'
import { type EditorProps, FormContext, useControl } from './form.tsx'
import { decodeSound, type Recording, startRecording } from './recorder.ts'
import { peaksOf, toSamples } from './sound.ts'

/** What sound is taken. */
export interface SoundEditorProps extends EditorProps {
  readonly sampleRateHz: number
  readonly maxSamples: number | null
}

const chart = { width: 600, height: 120 }

/** Sound from the microphone or an audio file, its wave, and over it the numbers of the last answer. */
export function SoundEditor({ sampleRateHz, maxSamples, ...props }: SoundEditorProps): JSX.Element {
  const { value, onChange, pointer, label } = props
  const control = useControl(pointer)
  const [state, setState] = useState<string>('')
  const recording = useRef<Recording | null>(null)
  const samples: readonly unknown[] = Array.isArray(value) ? value : []
  const take = async (file: Blob | undefined): Promise<void> => {
    if (file === undefined) return
    setState('Decoding…')
    try {
      onChange(toSamples(await decodeSound(file, sampleRateHz), maxSamples))
      setState('')
    } catch {
      setState('This browser cannot read that file as sound.')
    }
  }
  const record = async (): Promise<void> => {
    const running = recording.current
    recording.current = null
    if (running !== null) return take(await running.stop())
    try {
      recording.current = await startRecording()
      setState('Recording…')
    } catch (error) {
      setState(`No microphone: ${error instanceof Error ? error.message : 'it may not be heard'}`)
    }
  }
  return (
    <div class="sound">
      <div class="row">
        <button type="button" onClick={() => void record()} aria-pressed={recording.current !== null}>
          {recording.current === null ? 'Record' : 'Stop recording'}
        </button>
        <input
          {...control}
          type="file"
          accept="audio/*"
          aria-label={`${label} from an audio file`}
          onChange={({ currentTarget }) => void take(currentTarget.files?.[0])}
        />
        {samples.length === 0 ? null : (
          <button type="button" class="quiet" onClick={() => onChange([])}>
            Clear
          </button>
        )}
      </div>
      <Wave samples={samples} />
      <p class="note" aria-live="polite">
        {state ||
          `${samples.length} samples, ${(samples.length / sampleRateHz).toFixed(2)} s at ${sampleRateHz} Hz`}
      </p>
    </div>
  )
}

function Wave({ samples }: { readonly samples: readonly unknown[] }): JSX.Element {
  const { overlay } = useContext(FormContext)
  const { width, height } = chart
  const wave = useMemo(() => {
    const middle = height / 2
    const columns = peaksOf(samples as readonly number[], Math.min(width, samples.length))
    const scale = columns.length === 0 ? 1 : width / columns.length
    return columns
      .map(
        ([low, high], x) =>
          `M${(x * scale).toFixed(1)} ${middle - high * middle}V${middle - low * middle + 0.5}`,
      )
      .join('')
  }, [samples, width, height])
  const values = samples.length === 0 ? [] : (overlay.shares ?? [])
  const step = width / Math.max(1, values.length)
  const line = values.map(
    (each, index) => `${index * step},${(1 - each) * height} ${(index + 1) * step},${(1 - each) * height}`,
  )
  return (
    <svg class="wave" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
      <title>{values.length > 0 ? 'The wave, and the answer over it' : 'The wave'}</title>
      <path class="axis" d={`M0 ${height / 2}H${width}`} />
      <path class="trace" d={wave} />
      {values.length > 0 ? <polyline class="overlay" points={line.join(' ')} /> : null}
    </svg>
  )
}
