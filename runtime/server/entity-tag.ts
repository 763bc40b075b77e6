/** Whether a header `If-None-Match` names an entity tag, compared weakly (RFC 9110, section 13.1.2). */
export function matchesTag(header: string | null, tag: string): boolean {
  const tags = header?.split(',').map((given) => given.trim().replace(/^W\//, '')) ?? []
  return tags.includes(tag) || tags.includes('*')
}
