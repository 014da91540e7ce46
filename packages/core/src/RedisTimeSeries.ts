/**
 * Commands on time series, of the module RedisTimeSeries, which is part of Redis since 8.0.
 *
 * @since 0.1.0
 */
export * from "./commands/modules/TimeSeries.ts"
export * from "./commands/modules/TimeSeriesQueries.ts"
