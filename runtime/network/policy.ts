/** Which servers may be asked. What is in no list is refused, wherever a URL or a redirect points. */
export interface OutboundPolicy {
  /**
   * Servers that the operator has named with their scheme, such as `http://127.0.0.1:8000`: they may have private
   * addresses and speak http. A link-local address is refused even here.
   */
  readonly origins: readonly string[]
  /**
   * Names that may be asked by https, at public addresses only: `models.example.com`, `*.example.com` for all
   * names below it, `*` for any.
   */
  readonly hosts: readonly string[]
}
