// The options of an output `hls`.
import { authName, choice, count, duration, flag, listenerName, size } from '@millrace/engine/plugin'
import { z } from 'zod'
import { pageOption } from './serve/page/page-options.js'

/** A path of the configuration; the engine makes a folder for the node below it. */
function folderPath(): z.ZodString {
  return z
    .string()
    .min(1)
    .max(1024)
    .regex(/^(?!(.*\/)?\.\.(\/|$))[^\0]+$/, 'must be the path of a folder, without `..`')
}

const shape = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'must be a path, such as /live/index.m3u8, without ?, # or spaces')
    .regex(/[^/]$/, 'must name a file, such as /live/index.m3u8: the playlist needs a name in its folder')
    .meta({
      description:
        'Path of the multivariant playlist on the listener. Media playlists and segments lie beside it, so the output owns the whole folder.',
      reload: 'rebind',
      losesViewers: true,
    }),
  listener: listenerName().meta({ description: 'The listener that serves it.', reload: 'rebind', losesViewers: true }),
  segment: duration({ min: 500, max: 60_000 }).prefault('2s').meta({
    description:
      'Wanted length of a segment: it ends at the first key frame after that. At most `targetDuration`, and on reload at most the target duration that the playlists have.',
    reload: 'live',
  }),
  window: duration({ min: 1000 }).prefault('60s').meta({
    description:
      'Length of the playlists, at least three target durations. Segments that have left them can be downloaded for as long again, and for their own duration.',
    reload: 'live',
  }),
  dvr: duration({ max: 24 * 3_600_000 })
    .prefault('0s')
    .meta({
      description:
        'How far viewers can go back: `dvr.m3u8`, beside `path`, has playlists of this length. 0s for none. The segments are kept where `store` says; twice as many as are listed, because players may still ask for those that have left the playlists.',
      reload: 'live',
    }),
  playlistType: choice('live', 'event').default('live').meta({
    description:
      'Of an event nothing leaves the playlists; they end with the stream or the engine, after 24 hours, or when there is no room for more, and can be watched until another event begins.',
    reload: 'swap',
    losesViewers: true,
  }),
  targetDuration: duration({ min: 1000, max: 60_000 })
    .refine((ms) => ms % 1000 === 0, 'must be whole seconds')
    .optional()
    .meta({
      description:
        'The longest that a segment can be, in whole seconds. It stays the same as long as a playlist lives: a change ends the playlists, and players have to load `path` again. By default one and a half times `segment`, or the longest GOP until the first segment is complete if that is longer. A longer GOP is cut where no key frame is.',
      reload: 'swap',
      losesViewers: true,
    }),
  slicing: choice('keyframe', 'aligned').default('keyframe').meta({
    description:
      'Where segments begin. `keyframe`: at the first key frame after `segment`. `aligned`: at the first key frame of each multiple of `segment` since 1970, which is also its sequence number, so that several servers with the same source serve the same playlists. By default the target duration is twice `segment` then. A change ends the playlists, as with `aligned` does a change of `segment`.',
    reload: 'swap',
    losesViewers: true,
  }),
  independent: flag().default(false).meta({
    description: 'What a cut without a key frame leaves of a GOP becomes a gap, so that each segment can be decoded.',
    reload: 'live',
  }),
  naming: choice('sequence', 'timestamp', 'system').default('sequence').meta({
    description:
      'How segments are named: by media sequence number, or by the 90 kHz time of their first picture or Unix time in milliseconds, each followed by that number.',
    reload: 'live',
  }),
  granularity: count({ min: 1 }).default(1).meta({
    description: 'Names by `timestamp` and `system` are rounded down to a multiple of this.',
    reload: 'live',
  }),
  memory: size({ min: 4 * 1024 * 1024 })
    .prefault('256MiB')
    .meta({
      description:
        'Memory limit for segments, of all renditions. When it is reached, the oldest segments leave the playlists early.',
      reload: 'live',
    }),
  store: z
    .union([
      choice('memory'),
      z.strictObject({
        path: folderPath().meta({
          description:
            'Folder on a disk, absolute or relative to `engine.stateDir`. The output has a folder of its own in it, and after a restart goes on with what is there. The newest segments are in memory too.',
          reload: 'swap',
          losesViewers: true,
        }),
      }),
    ])
    .default('memory')
    .meta({
      description:
        'Where segments are kept: `memory`, or a folder on a disk, `{ path: hls }`. A change ends the playlists. A copy of a pattern pipeline keeps them in memory.',
      reload: 'swap',
      losesViewers: true,
    }),
  archive: z
    .strictObject({
      path: folderPath().meta({
        description:
          'Folder on a disk, absolute or relative to `engine.stateDir`. Where it is on the disk of `store`, both have the same files.',
        reload: 'swap',
      }),
      keep: duration({ min: 600_000, max: 315_360_000_000 }).prefault('7d').meta({
        description: 'How long segments are kept.',
        reload: 'live',
      }),
      size: size({ min: 1024 * 1024 })
        .optional()
        .meta({
          description:
            'Size at which the oldest segments are removed early, whatever `keep` says. By default no limit.',
          reload: 'live',
        }),
    })
    .optional()
    .meta({
      description:
        'Keeps all segments: `?start=TIME&duration=SECONDS` behind `path` is a playlist of that time. By default there is no archive. A copy of a pattern pipeline has none.',
      reload: 'swap',
    }),
  encryption: z
    .strictObject({
      keyRotation: count({ min: 0 }).default(0).meta({
        description: 'Number of segments after which another key follows; 0 for one key.',
        reload: 'live',
      }),
    })
    .optional()
    .meta({
      description:
        'Encrypts segments with AES-128 (an empty group, `{}`, is enough). Keys lie beside the playlists and need the same access as they do. By default segments are not encrypted.',
      reload: 'live',
    }),
  offline: z
    .strictObject({
      waitFor: duration().optional().meta({
        description:
          'How long a new viewer waits for the first complete segment, and in a pattern pipeline for a publisher. By default 10s, and while the first segment is being received as long as that can take.',
        reload: 'live',
      }),
      status: count({ min: 400, max: 599 })
        .default(503)
        .meta({ description: 'Response status if there is no segment in that time.', reload: 'live' }),
      gap: duration().optional().meta({
        description:
          'While no data arrives, the playlists go on with gaps, at most this long. After a longer outage the stream continues with a discontinuity. By default 30s, or `endAfter` if that is less.',
        reload: 'live',
      }),
      endAfter: duration({ min: 1000 }).prefault('5m').meta({
        description:
          'After this long without a segment the playlists end. A stream that comes later gets new ones, and players have to load `path` again.',
        reload: 'live',
      }),
    })
    .prefault({})
    .meta({ description: 'What happens while there is no source.' }),
  clients: z
    .strictObject({
      max: count({ min: 0 }).default(0).meta({
        description:
          'Maximum number of viewers; 0 for no limit. With `auth` a session is one viewer, else an address and a user agent.',
        reload: 'live',
      }),
      soft: count({ min: 0 }).default(0).meta({
        description:
          'Reaching this many viewers is reported in status, metrics and events, and has no other effect; 0 for never.',
        reload: 'live',
      }),
      perAddress: count({ min: 0 }).default(0).meta({
        description: 'Maximum number of viewers from one IPv4 address, or from one IPv6 /64 network; 0 for no limit.',
        reload: 'live',
      }),
      overLimitStatus: count({ min: 400, max: 599 })
        .default(503)
        .meta({ description: 'Response status for a viewer over a limit.', reload: 'live' }),
    })
    .prefault({})
    .meta({
      description:
        'Limits on the number of viewers. A viewer counts until three target durations after its last request.',
    }),
  auth: z
    .union([authName(), z.array(authName()).min(1)])
    .optional()
    .meta({
      description:
        'Access providers, declared under `auth:`. A request is admitted if any provider of the list admits it. By default every request is admitted.',
      reload: 'live',
    }),
  redirect: flag().default(true).meta({
    description:
      'A viewer that is admitted by `auth` is redirected to the folder of its session. Without it the multivariant playlist is the answer, with URIs that lead there, for players that take no redirect.',
    reload: 'live',
  }),
  cdn: flag().default(false).meta({
    description:
      'Caches in front of the engine may keep playlists for half a target duration, and segments for everybody. Segments then need no credentials: `auth` guards playlists and keys alone.',
    reload: 'live',
  }),
  page: pageOption(),
  cors: z
    .union([origin(), z.array(origin()).min(1)])
    .optional()
    .meta({
      description:
        'Origins whose web pages may play the stream, such as https://tv.example, or `*` for all of them. Pages of listed origins may send credentials. By default none.',
      reload: 'live',
    }),
})

export const options = shape.superRefine((value, context) => {
  const { encryption, cors, slicing, segment, targetDuration, offline, path, dvr } = value
  const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message })
  // What any page may read, any page can decrypt.
  if (encryption !== undefined && [cors].flat().includes('*')) {
    refuse(
      ['cors'],
      'must name the origins where there is `encryption`: keys are not given to the pages of all origins',
    )
  }
  if (encryption !== undefined && slicing === 'aligned') {
    refuse(
      ['encryption'],
      'must not be set with `slicing: aligned`: each server would have other keys for the same segments',
    )
  }
  if (targetDuration !== undefined && segment > targetDuration) {
    refuse(['targetDuration'], 'must be at least `segment`: no segment is longer than the target duration')
  }
  if (dvr > 0 && path.endsWith('/dvr.m3u8')) {
    refuse(['path'], 'must not be dvr.m3u8 where there is `dvr`: that is the name of its playlist')
  }
  if (offline.gap !== undefined && offline.gap > offline.endAfter) {
    refuse(['offline', 'gap'], 'must be at most `endAfter`: when the playlists have ended, no gaps follow')
  }
})

/** RFC 6454, 6.2: what browsers send as Origin. */
function origin() {
  const message = 'must be an origin, such as https://tv.example, without a path and a slash at its end, or *'
  return z.string().regex(/^(?:\*|[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+)$/i, message)
}

/** For `offline.gap`, if the playlists do not end before. */
export const USUAL_GAP_MS = 30_000
/** Of a viewer, for the first segment. */
export const USUAL_WAIT_MS = 10_000

export type HlsOptions = z.output<typeof options>

/** The folder in which everything lies: ends with a slash. */
export function folderOf({ path }: Pick<HlsOptions, 'path'>): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
