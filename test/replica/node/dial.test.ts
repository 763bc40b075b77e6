import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { ContentOffer } from '../../../runtime/replica/node/content-offer.ts'
import { dialNode } from '../../../runtime/replica/node/dial.ts'
import type { NodeCertificates, NodeSecurity } from '../../../runtime/replica/node/security.ts'
import type { TestCertificate } from '../../support/hostile-certificates.ts'
import {
  foreignCertificate,
  misnamedCertificate,
  nodeAuthority,
  nodeCertificate,
} from '../../support/node-certificates.ts'
import { until } from '../../support/server.ts'
import { type NodeScene, openNodeScene } from './node-scene.ts'

let scene: NodeScene | null = null
afterEach(() => scene?.[Symbol.asyncDispose]())

function certified({ cert, key }: TestCertificate, shared: Buffer | null = null): NodeSecurity {
  const tls: NodeCertificates = { cert, key, ca: nodeAuthority }
  return { key: shared, tls }
}

/** Whether a gateway gets through to a node. */
async function meets(gateway: NodeSecurity, node: NodeSecurity): Promise<boolean> {
  scene = await openNodeScene(node)
  try {
    const { control } = await dialNode(scene.address, gateway, new ContentOffer())
    const heard = Promise.withResolvers<boolean>()
    control.open({ received: () => heard.resolve(true), closed: () => heard.resolve(false) })
    control.send({ kind: 'watch' })
    return await heard.promise
  } catch {
    return false
  }
}

const own = certified(nodeCertificate)
const shared = randomBytes(32)

describe('a gateway and a node', () => {
  it('with certificates of one authority meet', async () => {
    expect(await meets(own, own)).toBe(true)
  })

  it('with certificates and a shared key meet', async () => {
    expect(await meets(certified(nodeCertificate, shared), certified(nodeCertificate, shared))).toBe(true)
  })

  it.each<[string, NodeSecurity, NodeSecurity]>([
    ['a gateway of another authority', certified(foreignCertificate), own],
    ['a gateway of another name', certified(misnamedCertificate), own],
    ['a gateway without a certificate', { key: null, tls: null }, own],
    ['a node of another authority', own, certified(foreignCertificate)],
    ['a node of another name', own, certified(misnamedCertificate)],
    ['a node without a certificate', own, { key: null, tls: null }],
    ['a gateway with a key alone', { key: shared, tls: null }, certified(nodeCertificate, shared)],
    ['a gateway without the key', own, certified(nodeCertificate, shared)],
  ])('do not meet where there is %s', async (_, gateway, node) => {
    expect(await meets(gateway, node)).toBe(false)
    expect(scene?.server.replicas).toBe(0)
  })
})

describe('a node that is none', () => {
  it('is not waited for where nobody listens', async () => {
    const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
    const { port } = listener
    listener.stop(true)
    await expect(
      dialNode({ host: '127.0.0.1', port }, { key: null, tls: null }, new ContentOffer()),
    ).rejects.toThrow()
  })

  it('is given up after a while where it says nothing, and its connection closed', async () => {
    let closed = false
    using listener = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data: () => undefined,
        close: () => {
          closed = true
        },
      },
    })
    const dialling = dialNode(
      { host: '127.0.0.1', port: listener.port },
      { key: null, tls: null },
      new ContentOffer(),
    )
    await expect(dialling).rejects.toThrow('does not answer')
    await until(() => closed)
  })
})
