import { type Subtree, wholeTree } from './subtree.ts'

/**
 * A subtree on its way from one to another: text that only those read who explore it. There can be thousands at a time, and
 * most are carried more often than they are read.
 */
export interface Parcel {
  /** Estimated share of the whole tree. */
  readonly mass: number
  readonly text: string
}

export function pack(subtree: Subtree): Parcel {
  return { mass: subtree.mass, text: JSON.stringify(subtree) }
}

export function unpack({ text }: Parcel): Subtree {
  return JSON.parse(text) as Subtree
}

/** The whole tree. */
export const wholeParcel: Parcel = pack(wholeTree)
