// The public exports of train.metrics, and nothing else.
export { Accuracy, accuracy, TopKAccuracy, topKAccuracy } from './accuracy.js';
export { ConfusionMatrix } from './confusion.js';
export { type Average, type AverageOptions, F1, f1, Precision, precision, Recall, recall } from './counts.js';
export { Metric, type Values } from './metric.js';
export { Perplexity, perplexity } from './perplexity.js';
export { AUC, AveragePrecision, auc, averagePrecision } from './ranking.js';
export { MAE, Mean, MSE, mae, mse, R2, RMSE, r2, rmse } from './regression.js';
