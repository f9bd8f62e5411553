// The public exports of viz, and nothing else.
export { type GraphOptions, graph, graphDot } from './graph.js';
export { type HeatmapOptions, heatmap } from './heatmap.js';
export {
  type LinePlotOptions,
  type LossPlotOptions,
  linePlot,
  lossPlot,
  type PlotSeries,
  type TrainingHistory,
} from './plot.js';
