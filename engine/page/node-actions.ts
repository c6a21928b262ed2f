// What can be done to a node from its view: restart, stop, start, record, and the commands of its type.
import { ask } from './api-client.js'
import { askFirst, type Change, viewersText } from './ask-first.js'
import { element, setText } from './dom.js'
import type { NodeModel } from './model/index.js'

/** A node opens within 10 s, and a command runs for as long. */
const TIMEOUT_MS = 15_000

type Action = 'restart' | 'disable' | 'enable'

interface NodeTypes {
  readonly nodeTypes: readonly {
    readonly kind: string
    readonly type: string
    readonly commands: readonly {
      readonly name: string
      readonly summary: string
      readonly input: readonly { readonly path: string; readonly description: string }[]
    }[]
  }[]
}

type Command = NodeTypes['nodeTypes'][number]['commands'][number]

const WHAT: Readonly<Record<Action, { readonly button: string; readonly about: string; readonly done: string }>> = {
  restart: { button: 'Restart', about: 'It is opened anew.', done: 'was restarted' },
  disable: { button: 'Disable', about: 'It is stopped until somebody enables it.', done: 'is disabled' },
  enable: { button: 'Enable', about: 'It is opened again.', done: 'is enabled' },
}

/** `node`: as it is now. */
export function nodeActions(node: () => NodeModel | undefined): { readonly element: HTMLElement; update(): void } {
  const press = (prepare: (of: NodeModel) => Change | Promise<Change>) => (): void => {
    const found = node()
    if (found !== undefined) askFirst(() => prepare(found))
  }
  const button = (text: string, prepare: (of: NodeModel) => Change | Promise<Change>): HTMLButtonElement => {
    const made = element('button', { type: 'button', class: 'plain' }, text)
    made.addEventListener('click', press(prepare))
    return made
  }
  const restart = button('Restart', (of) => actionOf(of, 'restart'))
  const toggle = button('Disable', (of) => actionOf(of, isStopped(of) ? 'enable' : 'disable'))
  const record = button('Record', recordingOf)
  const commands = element('span', { class: 'buttons' })
  let type = ''
  return {
    element: element('div', { class: 'buttons' }, restart, toggle, record, commands),
    update() {
      const found = node()
      if (found === undefined) return
      record.hidden = found.status.recorder === undefined
      setText(toggle, isStopped(found) ? 'Enable' : 'Disable')
      if (type === found.status.type) return
      type = found.status.type
      commandsOf(found).then(
        (known) => commands.replaceChildren(...known.map((one) => button(one.name, (of) => commandOf(of, one)))),
        () => (type = ''),
      )
    },
  }
}

function isStopped({ status }: NodeModel): boolean {
  return status.state === 'stopped'
}

function actionOf({ id, pipeline, viewersHit }: NodeModel, action: Action): Change {
  const { button, about, done } = WHAT[action]
  const isBeside = pipeline === 'services' || pipeline === 'listeners'
  return {
    title: `${button} ${id}?`,
    about: [about, isBeside ? 'Who uses it waits for it.' : viewersText(viewersHit)],
    button,
    async carryOut() {
      await ask('POST', `${pathOf(id)}/${action}`, undefined, TIMEOUT_MS)
      return `${id} ${done}`
    },
  }
}

function recordingOf({ id }: NodeModel): Change {
  return {
    title: `Record ${id}?`,
    about: ['Its last seconds are written to a file. Nobody notices.'],
    button: 'Record',
    async carryOut() {
      const { result } = await ask<{ readonly result: unknown }>(
        'POST',
        `${pathOf(id)}/commands/record`,
        {},
        TIMEOUT_MS,
      )
      const file = typeof result === 'object' && result !== null && 'file' in result ? String(result.file) : 'a file'
      return `${id} is recorded to ${file}`
    },
  }
}

function commandOf({ id, viewersHit }: NodeModel, { name, summary, input }: Command): Change {
  return {
    title: `Run ${name} of ${id}?`,
    about: [summary, viewersText(viewersHit)],
    button: 'Run',
    fields: input.map(({ path, description }) => ({ name: path, help: description })),
    async carryOut(values) {
      const body = Object.fromEntries(Object.entries(values).map(([key, text]) => [key, valueOf(text)]))
      const path = `${pathOf(id)}/commands/${encodeURIComponent(name)}`
      const { result } = await ask<{ readonly result: unknown }>('POST', path, body, TIMEOUT_MS)
      return `${name} was done${result === null ? '' : `: ${JSON.stringify(result)}`}`
    },
  }
}

async function commandsOf({ status: { kind, type } }: NodeModel): Promise<readonly Command[]> {
  const { nodeTypes } = await ask<NodeTypes>('GET', 'node-types')
  return nodeTypes.find((each) => each.kind === kind && each.type === type)?.commands ?? []
}

/** JSON where it is JSON, else text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** Below the API, without a slash in front. */
export function pathOf(id: string): string {
  const at = id.indexOf('/')
  const [owner, name] = [encodeURIComponent(id.slice(0, at)), encodeURIComponent(id.slice(at + 1))]
  return owner === 'services' ? `services/${name}` : `pipelines/${owner}/nodes/${name}`
}
