import { hashText } from '../../build/content-hash.ts'
import { pageManifestName } from '../../page/manifest.ts'
import { matchesTag } from '../entity-tag.ts'
import { routeNotFound } from '../reply.ts'
import type { SystemRoute } from '../system-route.ts'
import { CompressedFiles } from './compressed-files.ts'
import { fileReply, type Keeping, sharedHeaders } from './file-reply.ts'
import type { PageFile, PageFiles } from './page-files.ts'
import { playgroundReply } from './playground-page.ts'

/** Below which path files for pages are served. */
const browserPath = '/-/browser'

/** Where the playground is. */
export const playgroundPath = '/-/playground'

/**
 * The paths for pages: what was built for them below `/-/browser/`, each file by its own name and no other, and the
 * playground. All are for anybody, as the functions' code is what whoever opens a page gets to see anyway.
 */
export function createPageRoutes(files: PageFiles): readonly SystemRoute[] {
  const compressed = new CompressedFiles()
  const send = async (request: Request, file: PageFile | null, keeping: Keeping): Promise<Response> => {
    const reply = file && (await fileReply(request, file, keeping, compressed))
    if (!reply) throw routeNotFound(request)
    return reply
  }
  return [
    {
      path: `${browserPath}/${pageManifestName}`,
      handlers: { GET: async ({ request }) => indexReply(request, await files.index()) },
    },
    {
      path: `${browserPath}/client.js`,
      handlers: { GET: async ({ request }) => send(request, await files.client(), 'revalidated') },
    },
    {
      path: `${browserPath}/:file`,
      handlers: {
        GET: async ({ request, parameters: [name = ''] }) =>
          send(request, await files.find(name), 'immutable'),
      },
    },
    {
      path: playgroundPath,
      handlers: {
        GET: async ({ request }) => {
          const found = await files.playground()
          if (!found) throw routeNotFound(request)
          return playgroundReply(found)
        },
      },
    },
  ]
}

function indexReply(request: Request, text: string | null): Response {
  if (text === null) throw routeNotFound(request)
  const tag = `"${hashText(text)}"`
  const headers = { etag: tag, 'cache-control': 'no-cache', ...sharedHeaders }
  return matchesTag(request.headers.get('if-none-match'), tag)
    ? new Response(null, { status: 304, headers })
    : new Response(text, { headers: { ...headers, 'content-type': 'application/json' } })
}
