import { join } from 'node:path'
import { resolveConfig } from '../../runtime/config/loader.ts'
import type { GatewayOptions } from '../../runtime/entry/gateway.ts'
import { createLogger } from '../../runtime/observe/log.ts'
import type { TestProject } from '../support/server.ts'

/** What a gateway of a test's project is made from: one replica, a free port, a log that nobody reads. */
export function gatewayOptions(
  { directory }: TestProject,
  mode: 'dev' | 'serve',
  flags: Readonly<Record<string, unknown>> = {},
): GatewayOptions {
  return {
    mode,
    config: resolveConfig({ flags: { port: 0, replicas: 1, shutdownGraceMs: 0, ...flags } }),
    projectDirectory: directory,
    functionsDirectory: join(directory, 'functions'),
    stateDirectory: join(directory, '.isoplex'),
    log: createLogger({ write: () => undefined }),
  }
}
