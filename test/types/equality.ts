/** Holds only where both types are one and the same: `any`, `unknown` and unions of either do not pass for others. */
export type Equal<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2 ? true : false

/** Takes a type that must be `true`; another one does not compile. */
export function assertType<_Claim extends true>(): void {}
