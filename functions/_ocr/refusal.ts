import { IsoplexError } from 'isoplex'

/** The error that tells whoever sent a picture what is wrong with it. `message` goes on from "The picture". */
export function refusePicture(message: string): IsoplexError {
  return new IsoplexError('INPUT_INVALID', `The picture ${message}.`, {
    details: { issues: [{ path: '/picture', message }] },
  })
}
