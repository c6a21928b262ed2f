// `engine events`: what the engine has recorded, and with -f what happens from now on.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import type { FeedEvent } from '../parse-event-stream.js'
import type { Verb, VerbContext } from '../verb.js'

interface EventsOptions extends ApiOption, JsonOption {
  readonly pipeline?: string
  readonly follow?: boolean
}

/** An id of no engine: the answer begins with everything that is recorded. */
const FROM_START = 'start'

export const eventsVerb = {
  declare(program: Command): Command {
    const command = program
      .command('events')
      .description('show the recorded events of a running engine, at most 1000; with -f, those that follow too')
      .option('--pipeline <name>', 'only events of this pipeline, and of the engine as a whole')
      .option('-f, --follow', 'go on as events happen; connects again where it stopped')
    return addApiOption(addJsonOption(command))
  },
  /** `signal`: ends -f. 0, 1 refused, 69 not reachable. */
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    { api, json, pipeline, follow = false }: EventsOptions,
    signal?: AbortSignal,
  ) {
    const { findEngine } = await import('../ask-engine.js')
    const { followFeed } = await import('../follow-feed.js')
    const target = await findEngine(streams, { api, folder })
    if (typeof target === 'number') return target
    const query = pipeline === undefined ? '' : `?pipeline=${encodeURIComponent(pipeline)}`
    return followFeed(streams, target, `/api/v1/events${query}`, {
      ...{ isFollowing: follow, lastEventId: FROM_START, signal },
      onEvent: (event) => {
        // The first sample follows what is recorded.
        if (event.name === 'sample') return follow
        if (event.name === 'end') return true
        if (event.name !== 'gap') streams.out.write(json === true ? `${event.data}\n` : renderEvent(event))
        else if (event.id !== '') streams.err.write('events are missing here\n')
        return true
      },
    })
  },
} satisfies Verb

function renderEvent({ data }: FeedEvent): string {
  const { at = '', kind = '', node = '', data: more = {} } = readObject(data)
  const fields = Object.entries(more as object).flatMap(([key, value]) =>
    value === '' ? [] : [`${key}=${String(value)}`],
  )
  const parts = [timeOf(at), kind, node, ...fields].map(String).filter((part) => part !== '')
  return `${printable(parts.join('  ')).replaceAll('\n', ' ')}\n`
}

function timeOf(at: unknown): string {
  return typeof at === 'string' ? at.slice(11, 23) : ''
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
