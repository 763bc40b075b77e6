/** A reply of JSON that nobody keeps: it may be out of date at once, or be for one reader only. */
export function jsonReply(value: unknown, status = 200): Response {
  return Response.json(value, { status, headers: { 'cache-control': 'no-store' } })
}
