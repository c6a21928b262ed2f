// Renditions that are known by name: their sizes and rates.

/** The packets of the source. */
export const NATIVE = 'native'

/** `live`: of our own choice. `edge`: those of restreamer-edge to the bit. */
export const LADDERS = ['live', 'edge'] as const
export type Ladder = (typeof LADDERS)[number]

export interface Step {
  readonly height: number
  readonly videoRate: number
  readonly audioRate: number
}

const step = (height: number, videoKbps: number, audioKbps: number): Step => {
  return { height, videoRate: videoKbps * 1000, audioRate: audioKbps * 1000 }
}

export const STEPS: Readonly<Record<Ladder, Readonly<Record<string, Step>>>> = {
  live: {
    '240p': step(240, 400, 64),
    '360p': step(360, 800, 96),
    '480p': step(480, 1400, 128),
    '720p': step(720, 2800, 128),
    '1080p': step(1080, 5000, 192),
  },
  edge: {
    '240p': step(240, 256, 64),
    '360p': step(360, 512, 128),
    '480p': step(480, 819, 128),
    '720p': step(720, 2048, 192),
    '1080p': step(1080, 5000, 192),
  },
}

/** Names that need no settings. */
export const STEP_NAMES = ['240p', '360p', '480p', '720p', '1080p', NATIVE] as const
