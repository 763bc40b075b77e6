import type { Socket } from 'bun'
import type { ContentOffer } from './content-offer.ts'
import { ControlConnection } from './control-connection.ts'
import { openHandshake, type SessionKey } from './handshake.ts'
import type { GatewayMessage, NodeMessage } from './message.ts'
import { formatNodeAddress, type NodeAddress, type NodeSecurity, tlsOptionsOf } from './security.ts'

/** A gateway's end of a connection to a node. */
export type NodeControl = ControlConnection<GatewayMessage, NodeMessage>

/** A connection on which both ends have proved themselves. */
export interface DialledNode {
  readonly control: NodeControl
  readonly session: SessionKey
}

/** How long it may take until both ends have proved themselves. */
const dialMs = 5_000
/** How often the system looks whether the other end is still there. */
const keepAliveMs = 5_000

/**
 * Opens a connection to a node. It is closed where that does not succeed in time.
 *
 * @throws {Error} where nobody is there; a `HandshakeError` where it is not one to be spoken with.
 */
export async function dialNode(
  address: NodeAddress,
  security: NodeSecurity,
  offer: ContentOffer,
): Promise<DialledNode> {
  const opened = Promise.withResolvers<NodeControl>()
  const where = formatNodeAddress(address)
  let control: NodeControl | null = null
  let over = false
  const late = setTimeout(() => fail(`${where} does not answer`), dialMs)
  const fail = (why: string): void => {
    over = true
    control?.close(why)
    opened.reject(new Error(why))
  }
  // The race may be lost before anybody waits for it.
  opened.promise.catch(() => undefined)
  try {
    const tls = tlsOptionsOf(security, 'gateway')
    const connecting = Bun.connect<NodeControl>({
      hostname: address.host,
      port: address.port,
      ...(tls === undefined ? {} : { tls }),
      socket: {
        open: (socket) => {
          control = new ControlConnection(socket, offer)
          socket.data = control
          if (over) control.close(`${where} answers too late`)
          socket.setNoDelay(true)
          socket.setKeepAlive(true, keepAliveMs)
          if (tls === undefined) opened.resolve(control)
        },
        handshake: (socket, success, error) => {
          if (success && !error && socket.authorized) opened.resolve(socket.data)
          else fail(`${where} does not prove itself: ${error?.message ?? 'its certificate is none of ours'}`)
        },
        data: (socket, bytes) => socket.data.receive(bytes),
        drain: (socket) => socket.data.drained(),
        close: () => fail(`${where} has closed the connection`),
        error: (_: Socket<NodeControl>, error) =>
          fail(`what ${where} sends cannot be read: ${error.message}`),
        connectError: (_, error) => fail(`nobody answers at ${where}: ${error.message}`),
      },
    })
    connecting.catch((error: unknown) => opened.reject(error))
    const ready = await opened.promise
    return { control: ready, session: await openHandshake(ready, security.key) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    fail(why)
    throw error
  } finally {
    clearTimeout(late)
  }
}
