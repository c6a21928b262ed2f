// Pipelines and services: each pipeline has a container, a child of that of the engine, and each node a child of that.
import type { NodeSettings, Pipeline } from '../graph/graph.js'
import { isStreamPattern } from '../graph/stream-keys.js'
import type { NodeContext, Received, Source } from '../plugin/contract.js'
import { AUTH, PIPELINE } from '../plugin/tokens.js'
import { ListenerRunner } from '../run/node/listener-runner.js'
import type { NodePlacement } from '../run/node/node-runner.js'
import { ServiceRunner } from '../run/node/service-runner.js'
import { ownPart } from '../run/pipeline/own-part.js'
import { PipelineRunner } from '../run/pipeline/pipeline-runner.js'
import { createNode } from '../run/pipeline/wiring.js'
import { singleStream } from '../run/publish/single-stream.js'
import type { StreamSlot } from '../run/publish/stream-slot.js'
import { offeredUrls } from '../run/offered-urls.js'
import { viewersOf } from '../run/status-view.js'
import { nodeServices } from './node-container.js'
import type { RunnerFactory } from './runner-factory.js'
import type { ServiceContainer } from './service-container.js'
import { AUDIENCES, ENGINE_CLOCK, HTTP_LISTENERS, LOG, PATTERNS, PUBLISHERS, ROUTES, RUNNING } from './service-keys.js'

export function runnerFactory(engine: ServiceContainer): RunnerFactory {
  const services = nodeServices(engine)
  return {
    createPipeline: (pipeline) => {
      const { name } = pipeline
      return createPipeline(engine, ownPart(pipeline), (settings) => listeningInput(engine, name, settings))
    },
    createCopy: (pipeline, slot) =>
      createPipeline(engine, pipeline, ({ publish }) =>
        publish === undefined ? {} : { opens: (_, context) => publishedTo(slot, context) },
      ),
    createService: (settings, placement) =>
      settings.definition.kind === 'listener'
        ? new ListenerRunner(settings, services, engine.get(HTTP_LISTENERS), placement)
        : new ServiceRunner(settings, services, placement),
  }
}

function publishedTo(slot: StreamSlot, context: NodeContext): Source<Received> {
  context.details(() => ({ publisher: slot.who ?? null }))
  return slot.open(context)
}

/** Of an input that takes published streams: the pattern pipeline that it listens for, or itself. */
function listeningInput(engine: ServiceContainer, pipeline: string, settings: NodeSettings): NodePlacement {
  const { definition, publish } = settings
  if (publish === undefined || definition.kind !== 'input') return {}
  if (isStreamPattern(publish.streams)) {
    return { opens: engine.get(PATTERNS).of(pipeline).listen(definition), isListening: true }
  }
  const running = engine.get(RUNNING)
  const opens = singleStream(definition, {
    clock: engine.get(ENGINE_CLOCK),
    log: engine.get(LOG),
    auth: engine.get(AUTH),
    publishers: engine.get(PUBLISHERS),
    // A rename keeps the node, under another ID.
    settings: (id) => {
      const found = running.graph.pipelines.flatMap(({ nodes }) => nodes).find((node) => node.id === id)
      return { ...settings, ...found, publish: found?.publish ?? publish }
    },
  })
  return { opens }
}

function createPipeline(
  engine: ServiceContainer,
  pipeline: Pipeline,
  opening: (settings: NodeSettings) => NodePlacement,
): PipelineRunner {
  const services = nodeServices(engine.child().value(PIPELINE, pipeline.name))
  const [audiences, routes, listeners] = [engine.get(AUDIENCES), engine.get(ROUTES), engine.get(HTTP_LISTENERS)]
  return new PipelineRunner(pipeline, {
    clock: engine.get(ENGINE_CLOCK),
    createNode: (settings, placement) => createNode(settings, services, { ...placement, ...opening(settings) }),
    viewersOf: (id) => viewersOf(audiences.of(id), routes.routeOf(id)),
    clientsOf: (id) => audiences.of(id)?.counters.clients,
    offeredUrls: (settings) => offeredUrls({ ...settings, isPattern: pipeline.pattern !== undefined }, listeners),
  })
}
