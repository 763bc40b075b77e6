import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  description: 'Greets whom the path names.',
  access: 'public',
  runs: ['server', 'browser'],
  params: Type.Object({ name: Type.String({ maxLength: 64 }) }),
  query: Type.Object({ loud: Type.Optional(Type.Boolean()) }),
  output: Type.Object({ message: Type.String() }),
  handler({ params, query }) {
    const message = `Hello, ${params.name}!`
    return { message: query.loud ? message.toUpperCase() : message }
  },
})
