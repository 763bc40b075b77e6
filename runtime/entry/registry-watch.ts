import { watch } from 'node:fs'

/** Who wants to know what happens to a registry. */
export interface RegistryEvents {
  /** Something in it may have changed. */
  onChange(): void
  /** It is not watched, or not any more: nothing that happens to it is told from now on. */
  onError(error: unknown): void
}

/** A change is several writes: so long nothing must have been written before it is told. */
const quietMs = 20

/** Watches the registry in a state folder, which any process may write to. */
export function watchRegistry(stateDirectory: string, { onChange, onError }: RegistryEvents): Disposable {
  let timer: Timer | undefined
  const notice = (name: string | null): void => {
    if (!name?.startsWith('registry.sqlite')) return
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
