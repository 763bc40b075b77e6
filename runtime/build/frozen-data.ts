/** Freezes plain data through and through, in place. */
export function freezeData<Data>(data: Data): Data {
  if (typeof data !== 'object' || data === null || Object.isFrozen(data)) return data
  for (const member of Object.values(data)) freezeData(member)
  return Object.freeze(data)
}
