import { watch } from 'node:fs'

/** Who wants to know what happens to a file of a state folder. */
export interface StateEvents {
  /** Something in it may have changed. */
  onChange(): void
  /** It is not watched, or not any more: nothing that happens to it is told from now on. */
  onError(error: unknown): void
}

/** A change is several writes: so long nothing must have been written before it is told. */
const quietMs = 20

/**
 * Watches the files of a state folder that some predicate names, which any process may write to: those of the
 * registry, or the keys.
 */
export function watchState(
  stateDirectory: string,
  concerns: (name: string) => boolean,
  { onChange, onError }: StateEvents,
): Disposable {
  let timer: Timer | undefined
  const notice = (name: string | null): void => {
    if (name === null || !concerns(name)) return
    clearTimeout(timer)
    timer = setTimeout(onChange, quietMs)
  }
  try {
    const watcher = watch(stateDirectory, (_, name) => notice(name))
    watcher.on('error', (error) => {
      watcher.close()
      onError(error)
    })
    return {
      [Symbol.dispose]() {
        clearTimeout(timer)
        watcher.close()
      },
    }
  } catch (error) {
    // A machine watches so many folders and no more.
    onError(error)
    return { [Symbol.dispose]: () => undefined }
  }
}
