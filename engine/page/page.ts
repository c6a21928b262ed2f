// The status page: what the engine says, in the view that the address asks for.
import { ask } from './api-client.js'
import { find } from './dom.js'
import { EngineFeed } from './engine-feed.js'
import { eventsView, logView, viewersView } from './list-views.js'
import { nodeView } from './node-view.js'
import { overview } from './overview.js'
import { PageHeader } from './page-header.js'
import { patternView } from './pattern-view.js'
import { pipelineView } from './pipeline-view.js'
import { reloadButton } from './reload-button.js'
import { type PageRoute, readRoute } from './routes.js'
import { signInForm } from './sign-in.js'
import type { View } from './view.js'

const header = new PageHeader()
const main = find('main')
const signOut = find('sign-out')
let view: View | undefined
let isAsked = false

const feed = new EngineFeed({
  onChange: schedule,
  onSignIn() {
    view?.end?.()
    view = undefined
    signOut.hidden = true
    const form = signInForm(() => {
      showSignOut()
      feed.refresh()
    })
    header.showSignedOut()
    main.replaceChildren(form)
    form.querySelector('input')?.focus()
  },
})

window.addEventListener('hashchange', () => open(true))
window.addEventListener('resize', schedule)
signOut.addEventListener('click', () => {
  ask('DELETE', 'session').then(
    () => location.reload(),
    () => location.reload(),
  )
})
document.addEventListener('signed-in', () => {
  showSignOut()
  feed.refresh()
})
reloadButton(find('reload'))
showSignOut()
feed.start()
setInterval(schedule, 1000)

/** One picture per frame, however much changes. */
function schedule(): void {
  if (isAsked) return
  isAsked = true
  requestAnimationFrame(() => {
    isAsked = false
    draw()
  })
}

function draw(): void {
  const { model, lost } = feed
  // A lost engine is shown as it was.
  const context = { model, nowMs: model.engineMs(lost?.sinceMs ?? Date.now()) }
  if (feed.isSigningIn) header.showSignedOut()
  else header.update(context, lost)
  if (!isKnown()) return
  if (view === undefined) open(false)
  view?.update(context)
}

/** Only the first sample tells what is a pattern pipeline. */
function isKnown(): boolean {
  const { status, hasSample } = feed.model
  return status !== undefined && hasSample && !feed.isSigningIn
}

/** `isChosen`: by a link, so that the reader goes there too. */
function open(isChosen: boolean): void {
  if (!isKnown()) return
  const route = readRoute(location.hash)
  view?.end?.()
  view = viewOf(route)
  header.showRoute(route)
  main.replaceChildren(view.element)
  feed.wants = { copies: view.needsCopies === true, viewers: view.needsViewers === true }
  feed.refresh()
  if (!isChosen) return
  window.scrollTo(0, 0)
  main.tabIndex = -1
  main.focus({ preventScroll: true })
  schedule()
}

function viewOf(route: PageRoute): View {
  switch (route.view) {
    case 'pipeline':
      return pipelineView(route.name)
    case 'pattern':
      return patternView(route.name)
    case 'node':
      return nodeView(route.name)
    case 'viewers':
      return viewersView()
    case 'events':
      return eventsView()
    case 'log':
      return logView()
    case 'overview':
      return overview()
  }
}

function showSignOut(): void {
  ask<{ readonly signedIn: boolean }>('GET', 'session').then(
    ({ signedIn }) => (signOut.hidden = !signedIn),
    () => (signOut.hidden = true),
  )
}
