// An HTTP service around a model: POST /predict, GET /metrics, GET /health.
import { type nn, serve, softmax, type Tensor, TensorError } from 'chainrule';
import fastify, { type FastifyInstance } from 'fastify';
import client from 'prom-client';
import { CLASSES, loadModel, SIDE } from './model.js';

/** Mean and deviation of MNIST's pixels: the models of the demo have learned from images scaled so. */
const [MEAN, STD] = [0.1307, 0.3081];
const PIXELS = SIDE * SIDE;

export interface ServiceOptions {
  /** Batches under way at once. */
  concurrency?: number;
  /** Most images of a batch. */
  maxBatch?: number;
  /** Most requests that wait; more are answered with 503. */
  maxQueue?: number;
}

/** A service, and how to give it new weights. */
export interface DigitService {
  app: FastifyInstance;
  /** Reads weights while requests come in: none is lost, each is answered by the old weights or by the new. */
  reload(path: string): Promise<void>;
}

/** The service, ready to listen or to be asked by `app.inject`; `app.close()` answers what waits and then ends. */
export async function buildService(model: nn.Module, options: ServiceOptions = {}): Promise<DigitService> {
  const { concurrency = 1, maxBatch = 64, maxQueue = 1024 } = options;
  const classify = (x: Tensor) => softmax(model.forward(x), 1);
  const predict = serve(classify, { concurrency, maxBatch, maxQueue, row: [1, SIDE, SIDE] });
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry }); // nodejs_eventloop_lag_p99_seconds among them
  const seconds = new client.Histogram({
    name: 'predict_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['code'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers: [registry],
  });
  for (const name of ['queued', 'running', 'answered', 'failed', 'batches', 'rows'] as const) {
    new client.Gauge({
      name: `predict_${name}`,
      help: `serve(): ${name}`,
      registers: [registry],
      collect() {
        this.set(predict.stats()[name]);
      },
    });
  }

  const app = fastify({ bodyLimit: 64 * PIXELS });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.addHook('onResponse', async (request, reply) => {
    if (request.url === '/predict') seconds.observe({ code: reply.statusCode }, reply.elapsedTime / 1000);
  });
  app.addHook('onClose', () => predict.close());
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const known = error instanceof TensorError;
    const busy = known && (error.code === 'queue-full' || error.code === 'closed');
    const status = error.statusCode ?? (busy ? 503 : known ? 400 : 500);
    void reply.code(status).send({ error: known ? error.code : error.name, message: error.message });
  });

  // One image as 784 bytes of grey (0 black, 255 white; light ink on a dark ground), or as {"pixels": [...]}.
  app.post('/predict', async (request) => {
    const probabilities = Array.from(await predict(scaled(request.body)));
    const best = probabilities.indexOf(Math.max(...probabilities));
    return { class: best, probability: probabilities[best], probabilities };
  });
  app.get('/metrics', async (_request, reply) => {
    void reply.type(registry.contentType);
    return registry.metrics();
  });
  app.get('/health', async () => ({ ok: true, classes: CLASSES, ...predict.stats() }));
  const reload = async (path: string) => {
    const next = await loadModel(path);
    await predict.update(() => void model.loadStateDict(next.stateDict()));
  };
  return { app, reload };
}

function scaled(body: unknown): Float32Array {
  const pixels = Buffer.isBuffer(body) ? body : (body as { pixels?: unknown } | null)?.pixels;
  const good = Buffer.isBuffer(pixels) || (Array.isArray(pixels) && pixels.every((v) => v >= 0 && v <= 255));
  if (!good || pixels.length !== PIXELS) {
    throw new TensorError(
      'value',
      'predict',
      `expected ${PIXELS} grey values from 0 to 255, as bytes or as {"pixels": [...]}`,
    );
  }
  return Float32Array.from(pixels as ArrayLike<number>, (v) => (v / 255 - MEAN) / STD);
}
