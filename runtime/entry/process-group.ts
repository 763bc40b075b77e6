import { openCLibrary } from './c-library.ts'

const backgroundWrite = 22
const ignore = 1

/**
 * Makes this process lead a group of its own, so that whoever started it can end it with all that it starts; on Linux
 * only. It stays in its session: the scheduler weighs processes by their niceness within one session, while one
 * with a session of its own would count as much as all of the other.
 *
 * What a terminal sends to its foreground, an interrupt for example, does not reach it any more, but it may write to
 * the terminal whatever that is set to do with others.
 */
export function leadProcessGroup(): void {
  const library = openCLibrary()
  library?.signal(backgroundWrite, ignore)
  library?.setpgid(0, 0)
}
