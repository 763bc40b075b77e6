import { list, orNull, text } from './key-schema.ts'

const path = '^[^\\u0000-\\u001f]+$'
const nodePlace = '^(?:\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9_.-]{1,253}):[0-9]{1,5}$'

/** The schema of each key that is about nodes, which gateways have replicas on. */
export const nodeProperties = {
  nodeAddress: orNull(
    text(nodePlace, {
      description:
        'Where `serve` and `node` take replicas for gateways of other machines; port 0 takes a free one.',
      expected: 'a host and a port such as 10.0.0.7:7420',
    }),
  ),
  nodes: list(nodePlace, {
    description: 'Nodes that `gateway` has its replicas on.',
    expected: 'hosts and ports such as 10.0.0.7:7420',
  }),
  rayApplication: orNull(
    text('^[^\\u0000-\\u001f]{1,256}$', {
      description: 'The application there, by its name without the version; unset where there is only one.',
      expected: 'a name',
    }),
  ),
  runnerAddress: orNull(
    text(nodePlace, {
      description:
        'Where runners on nodes reach `gateway`; unset, the address by which it reaches their node, and any port.',
      expected: 'a host and a port such as 10.0.0.1:7421',
    }),
  ),
  nodeKeyFile: orNull(
    text(path, {
      description: 'File with the key that gateways and nodes share, at least 32 bytes.',
      expected: 'a path',
    }),
  ),
  nodeCertificateFile: orNull(
    text(path, {
      description: 'Certificate for the name `isoplex`, as PEM, by which both know each other.',
      expected: 'a path',
    }),
  ),
  nodeCertificateKeyFile: orNull(
    text(path, { description: 'The private key of that certificate, as PEM.', expected: 'a path' }),
  ),
  nodeAuthorityFile: orNull(
    text(path, {
      description: 'Certificate, as PEM, of whoever signs those, and nothing else.',
      expected: 'a path',
    }),
  ),
} as const
