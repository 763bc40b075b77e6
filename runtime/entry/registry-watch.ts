import { watch } from 'node:fs'

/** A change is several writes: so long nothing must have been written before it is told. */
const quietMs = 20

/**
 * Watches the registry in a state folder, which any process may write to, and tells when something in it may have
 * changed. Where the file system does not tell of changes, nobody hears of them.
 */
export function watchRegistry(stateDirectory: string, onChange: () => void): Disposable {
  let timer: Timer | undefined
  const watcher = watch(stateDirectory, (_, name) => {
    if (!name?.startsWith('registry.sqlite')) return
    clearTimeout(timer)
    timer = setTimeout(onChange, quietMs)
  })
  watcher.on('error', () => watcher.close())
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}
