import type { Socket, SocketHandler } from 'bun'
import type { RunnerAddress } from './runner-gate.ts'

/** The name for which the certificates of nodes and gateways are made, whatever machine they are on. */
export const certifiedName = 'isoplex'

/** How often the system looks whether the other end is still there, while nothing is said. */
const keepAliveMs = 5_000

/**
 * Opens a runner's connection to its gateway. Over the network it waits until the gateway has proved itself, where it
 * has a certificate.
 *
 * @throws {Error} where there is no gateway, or it does not prove itself.
 */
export async function connectTo(
  address: RunnerAddress,
  handlers: SocketHandler<unknown>,
): Promise<Socket<unknown>> {
  if ('unix' in address) return Bun.connect({ unix: address.unix, socket: handlers })
  const { host: hostname, port, authority } = address
  const proved = Promise.withResolvers<void>()
  const socket = await Bun.connect<unknown>({
    hostname,
    port,
    socket: { ...handlers, handshake: (at, success, error) => provedBy(at, success, error, proved) },
    ...(authority === null
      ? {}
      : { tls: { ca: authority, rejectUnauthorized: true, serverName: certifiedName } }),
  })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAliveMs)
  if (authority !== null) await proved.promise
  return socket
}

function provedBy(
  socket: Socket<unknown>,
  success: boolean,
  error: Error | null,
  { resolve, reject }: PromiseWithResolvers<void>,
): void {
  if (success && !error && socket.authorized) resolve()
  else {
    reject(error ?? new Error('The gateway did not prove itself.'))
    socket.terminate()
  }
}
