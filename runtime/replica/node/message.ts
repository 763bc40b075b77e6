import type { Manifest } from '../../build/manifest.ts'
import type { ReplicaCommand, ReplicaReport } from '../message.ts'
import type { ContentListing } from './content-listing.ts'

/** The version of what gateway and node say to each other: both ends must speak the same. */
export const nodeProtocol = 1

/** The most bytes of a message before the other end has proved itself. */
export const maxStrangerBytes = 4_096
/** The most bytes of a message afterwards: a manifest is the largest. */
export const maxMessageBytes = 64 * 1024 * 1024
/** The most bytes of content in one piece. */
export const maxPieceBytes = 512 * 1024

/** What a node says of itself. */
export interface NodeFacts {
  /** Tells this run of the node from every other. */
  readonly id: string
  /** The version of isoplex. */
  readonly version: string
  /** Replicas that it offers to each gateway. */
  readonly places: number
  /** Whether it is about to end: nothing new is for it. */
  readonly leaving: boolean
  /** What it serves; its folder of bundles as content. */
  readonly manifest: Manifest
  readonly bundles: string
}

/** What a gateway says once both ends have proved themselves. */
export type GatewayMessage =
  /** Tell what you are, now and whenever that changes. */
  | { readonly kind: 'watch' }
  /** Start a replica, which lives as long as this connection. */
  | { readonly kind: 'replica'; readonly expectsModels: boolean }
  /** For that replica. Paths of the order are names of content. */
  | { readonly kind: 'command'; readonly command: ReplicaCommand }
  /** Let that replica end by itself. */
  | { readonly kind: 'disconnect' }

/** What a node says once both ends have proved themselves. */
export type NodeMessage =
  | { readonly kind: 'facts'; readonly facts: NodeFacts }
  /** The replica's process has been started. */
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'report'; readonly report: ReplicaReport }
  /** The replica's process has ended; it is the last word. */
  | { readonly kind: 'ended'; readonly how: string }

/** What either end asks the other for. */
export type ContentQuestion =
  /** What is the content of this digest? Answered with a {@link ContentListing}, or `null` where it is not here. */
  | { readonly ask: 'listing'; readonly digest: string }
  /** Bytes of one of its files, named by its place in the listing. Answered with the bytes. */
  | {
      readonly ask: 'piece'
      readonly digest: string
      readonly file: number
      readonly offset: number
      readonly bytes: number
    }

/** The answer to a question for a listing. */
export interface ListingAnswer {
  readonly listing: ContentListing | null
}
