import type { OutgoingCall } from '../runner/call-transport.ts'

/**
 * What a runner says of a call that its function makes, beside the bytes of the input: plain data, which crosses a socket
 * as JSON.
 */
export type CallHead = Omit<OutgoingCall, 'body'>
