/** A server to be held against, in a process of its own. */
export interface Peer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

/**
 * Starts a file of `peers/`, which prints its URL once it listens.
 *
 * @throws {Error} where it ends before.
 */
export async function startPeer(file: string, args: readonly string[] = []): Promise<Peer> {
  const path = new URL(`./peers/${file}`, import.meta.url).pathname
  const child = Bun.spawn([process.execPath, path, ...args], { stdout: 'pipe', stderr: 'inherit' })
  const stop = async (): Promise<void> => {
    child.kill()
    await child.exited
  }
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  const { value } = await reader.read()
  const url = value?.trim() ?? ''
  if (!URL.canParse(url)) {
    await stop()
    throw new Error(`${file} did not start; it printed "${url}".`)
  }
  return { url, pid: child.pid, [Symbol.asyncDispose]: stop }
}
