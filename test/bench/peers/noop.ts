/** A bare Elysia route that answers with the body it was sent: what a no-op function is held against. */
import { Elysia } from 'elysia'

const app = new Elysia().post('/noop', ({ body }) => body).listen({ hostname: '127.0.0.1', port: 0 })
process.stdout.write(`http://127.0.0.1:${app.server?.port}\n`)
