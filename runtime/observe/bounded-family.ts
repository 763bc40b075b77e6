/** How a family is made. */
export interface BoundedFamilyOptions<Facts, Member> {
  /** How many members there may be with facts of their own. */
  readonly most: number
  /** Makes a member; of `null` the one that all further names share. */
  readonly create: (facts: Facts | null) => Member
}

/**
 * Members by name, made when they are first asked for: the first so many names have one each, and all further
 * names share one. What clients bring with them, such as their names, can so become a label of a metric without
 * the number of labels being theirs to choose.
 */
export class BoundedFamily<Facts, Member> {
  readonly #options: BoundedFamilyOptions<Facts, Member>
  readonly #members = new Map<string, Member>()
  #shared: Member | null = null

  constructor(options: BoundedFamilyOptions<Facts, Member>) {
    this.#options = options
  }

  /** Every member, the shared one last. */
  get members(): readonly Member[] {
    const own = [...this.#members.values()]
    return this.#shared === null ? own : [...own, this.#shared]
  }

  /** The member of a name. The facts count when it is made. */
  of(name: string, facts: Facts): Member {
    const { most, create } = this.#options
    const known = this.#members.get(name)
    if (known !== undefined) return known
    if (this.#members.size >= most) {
      this.#shared ??= create(null)
      return this.#shared
    }
    const member = create(facts)
    this.#members.set(name, member)
    return member
  }
}
