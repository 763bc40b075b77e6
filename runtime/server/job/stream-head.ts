/** The reply to a `HEAD` where a stream would come: it says so, since no length is known to whoever sends it. */
export function streamHead(headers: Readonly<Record<string, string>>): Response {
  return new Response(null, { headers: { ...headers, 'transfer-encoding': 'chunked' } })
}
