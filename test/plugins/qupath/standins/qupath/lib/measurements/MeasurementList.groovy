package qupath.lib.measurements

class MeasurementList {
    protected final Map<String, Number> values = new LinkedHashMap<>()
    void put(String name, double value) { values.put(name, (float) value) }
    double get(String name) { return values.containsKey(name) ? values.get(name).doubleValue() : Double.NaN }
    void close() {}
}
