import { IsoplexError } from 'isoplex'

/** The error that tells whoever sent a picture what is wrong with it. `message` goes on from "The picture". */
export function refusePicture(message: string): IsoplexError {
  return refuse('/picture', `The picture ${message}.`, message)
}

/** The same of the boxes in one. `message` goes on from "The boxes". */
export function refuseBoxes(message: string): IsoplexError {
  return refuse('/boxes', `The boxes ${message}.`, message)
}

function refuse(path: string, text: string, message: string): IsoplexError {
  return new IsoplexError('INPUT_INVALID', text, { details: { issues: [{ path, message }] } })
}
