// The top of the page: is it fine, and what is not?
import { element, find, KeyedChildren, setAttributes, setText } from './dom.js'
import { Figures } from './figures.js'
import type { LostEngine } from './engine-feed.js'
import { clockTime, problemsOf, shortBits, shortBytes, shortSpan, totalRates } from './model/index.js'
import { hrefOf, hrefOfId, type PageRoute } from './routes.js'
import { markOf, type Tone } from './state-word.js'
import type { ViewContext } from './view.js'

const MOST_PROBLEMS = 8
const VIEWS: readonly (readonly [title: string, route: PageRoute])[] = [
  ['Overview', { view: 'overview' }],
  ['Viewers', { view: 'viewers' }],
  ['Events', { view: 'events' }],
  ['Log', { view: 'log' }],
]

type Problems = ReturnType<typeof problemsOf>

export class PageHeader {
  readonly #figures = new Figures(find('figures'))
  readonly #problems: KeyedChildren<Problems[number]>
  readonly #moreProblems = element('p', { class: 'quiet' })
  readonly #links = VIEWS.map(([title, route]) => element('a', { href: hrefOf(route) }, title))

  constructor() {
    const list = element('ul')
    find('problems').append(list, this.#moreProblems)
    this.#problems = new KeyedChildren(list, ({ id }) => id, makeProblem)
    find('views').append(...this.#links)
  }

  showRoute(route: PageRoute): void {
    for (const link of this.#links) {
      setAttributes(link, { 'aria-current': link.hash === hrefOf(route) ? 'page' : undefined })
    }
  }

  /** Nothing of what was read before: it may be old, and belongs to who has signed in. */
  showSignedOut(): void {
    for (const id of ['files', 'verdict', 'figures', 'banner', 'problems']) find(id).hidden = true
    document.body.classList.remove('lost')
    document.title = 'Sign in - Millrace'
  }

  update(context: ViewContext, lost: LostEngine | undefined): void {
    const { model, nowMs } = context
    const { status } = model
    for (const id of ['files', 'verdict', 'figures']) find(id).hidden = false
    if (status === undefined) {
      if (lost !== undefined) showVerdict(lostText(lost), 'bad')
      return
    }
    const problems = problemsOf(model, nowMs)
    document.body.classList.toggle('lost', lost !== undefined)
    if (lost !== undefined) showVerdict(lostText(lost), 'bad')
    else if (!status.ready) showVerdict('Not ready', 'bad')
    else if (problems.length === 0) showVerdict('All well', 'ok')
    else showVerdict(problems.length === 1 ? '1 needs a look' : `${problems.length} need a look`, 'warn')
    setText(find('files'), status.files.map((file) => file.slice(file.lastIndexOf('/') + 1)).join(' '))
    this.#figures.update(figuresOf(context))
    this.#showProblems(problems)
    showBanner(status.reload)
  }

  #showProblems(problems: Problems): void {
    this.#problems.show(problems.slice(0, MOST_PROBLEMS))
    const left = problems.length - MOST_PROBLEMS
    setText(this.#moreProblems, `and ${left} more`)
    this.#moreProblems.hidden = left <= 0
    find('problems').hidden = problems.length === 0
  }
}

/** It stays as it is until the engine is back: it is read out. */
function lostText({ sinceMs, refusal }: LostEngine): string {
  return refusal === undefined ? `No answer since ${clockTime(sinceMs)}, trying again` : `Refused: ${refusal}`
}

function showVerdict(text: string, tone: Tone): void {
  const verdict = find('verdict')
  setText(verdict, `${markOf(tone)} ${text}`)
  setAttributes(verdict, { 'data-tone': tone })
  const title = `${tone === 'ok' ? '' : `${markOf(tone)} `}${text} - Millrace`
  if (document.title !== title) document.title = title
}

function figuresOf({ model, nowMs }: ViewContext): readonly (readonly [name: string, value: string])[] {
  const { status, process, clientTotal, mostClients } = model
  if (status === undefined) return []
  const { input, output } = totalRates(model)
  return [
    ['Up', shortSpan((nowMs - Date.parse(status.startedAt)) / 1000)],
    ['In', rateText(input)],
    ['Out', rateText(output)],
    ['Viewers', `${clientTotal}${mostClients > clientTotal ? ` (max ${mostClients})` : ''}`],
    ...(process === undefined
      ? []
      : ([
          ['CPU', `${Math.round(process.cpuShare * 100)} %`],
          ...(process.latencyMs === undefined ? [] : [['Latency p99', latencyText(process.latencyMs)] as const]),
          ['Lag', `${Math.round(process.lagMs)} ms`],
          ['Memory', `${shortBytes(process.rssBytes).replace(/([kMGT]?)$/, ' $1')}B`],
        ] as const)),
    ...(status.reload === undefined ? [] : [['Running', status.reload.runningId.slice(0, 8)] as const]),
    ['Version', status.version],
  ]
}

/** From the arrival of data to when outputs pass it on. */
function latencyText(ms: number): string {
  return ms < 9.5 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

/** `948 kb/s` */
function rateText(bitsPerSecond: number): string {
  return `${shortBits(bitsPerSecond).replace(/([kMGT]?)$/, ' $1')}b/s`
}

function makeProblem({ id }: Problems[number]): { element: Element; update(problem: Problems[number]): void } {
  const mark = element('span', { 'aria-hidden': 'true' })
  const text = element('span')
  const hit = element('span', { class: 'quiet' })
  const line = element('li', {}, mark, ' ', element('a', { href: hrefOfId(id) }, id), ' ', text, ' ', hit)
  return {
    element: line,
    update({ text: what, viewersHit, isBad }) {
      const tone = isBad ? 'bad' : 'warn'
      setAttributes(line, { 'data-tone': tone })
      setText(mark, markOf(tone))
      setText(text, what)
      setText(hit, viewersHit === 0 ? '' : `${viewersHit} viewer${viewersHit === 1 ? '' : 's'} behind it`)
    },
  }
}

type Reload = NonNullable<ViewContext['model']['status']>['reload']

function showBanner(reload: Reload): void {
  const banner = find('banner')
  banner.hidden = reload === undefined || reload.inSync
  if (reload === undefined || reload.inSync) return
  const why = reload.reason ?? (reload.diskId === undefined ? 'they have mistakes' : 'they have changed')
  setText(banner, `The files differ from what runs (${reload.runningId.slice(0, 8)}): ${why}`)
}
