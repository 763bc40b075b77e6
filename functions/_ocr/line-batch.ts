import type { FileValue } from 'isoplex'
import { turned } from './cut.ts'
import type { Picture } from './picture.ts'
import { readPicture } from './read-picture.ts'

/** A line as it is sent. */
export interface LineInput {
  readonly picture: FileValue
  /** By how much it is turned. @default 0 */
  readonly degrees?: 0 | 180
}

/** Answers the lines of a batch together, but for those whose picture cannot be read: these get the error. */
export async function answerLines<Answer>(
  inputs: readonly LineInput[],
  answer: (lines: readonly Picture[]) => Promise<readonly Answer[]>,
): Promise<(Answer | Error)[]> {
  const read = await Promise.all(inputs.map((input) => readLine(input).catch(toError)))
  const lines = read.filter((line): line is Picture => !(line instanceof Error))
  const answers = (lines.length === 0 ? [] : await answer(lines)).values()
  return read.map((line) => (line instanceof Error ? line : (answers.next().value as Answer)))
}

async function readLine({ picture, degrees = 0 }: LineInput): Promise<Picture> {
  const line = await readPicture(picture)
  return degrees === 180 ? turned(line) : line
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
