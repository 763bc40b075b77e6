import type { Exemptions } from './mirror.ts'

const throughServer = {
  provenBy: 'test/replica/node/node-server.test.ts',
  reason: 'What a node does for a gateway that is let in: tested there over real connections.',
}
const throughFleet = {
  provenBy: 'test/replica/node/fleet.test.ts',
  reason: 'How a fleet sees one of its nodes: tested there on nodes that come, change and go.',
}
const throughGateway = {
  provenBy: 'test/e2e/nodes.test.ts',
  reason: 'It only puts parts together: tested there by the real commands, with nodes that die under load.',
}

/** Files about nodes whose test has another name. */
export const nodeExemptions: Exemptions = {
  'runtime/replica/node/node-session.ts': throughServer,
  'runtime/replica/node/node-replica.ts': throughServer,
  'runtime/replica/node/node-watch.ts': throughFleet,
  'runtime/replica/node/directory.ts': throughFleet,
  'runtime/replica/node/remote-channel.ts': throughGateway,
  'runtime/replica/runner-dial.ts': throughGateway,
  'runtime/entry/fleet.ts': throughGateway,
  'runtime/entry/node.ts': throughGateway,
  'runtime/entry/node-source.ts': throughGateway,
  'runtime/cli/gateway.ts': throughGateway,
  'runtime/cli/node.ts': throughGateway,
  'runtime/cli/signals.ts': throughGateway,
  'runtime/config/key-schema.ts': {
    provenBy: 'test/config/description.test.ts',
    reason: 'The forms of keys: tested there on every key that has one.',
  },
}
