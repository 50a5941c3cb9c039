package qupath.lib.measurements

class MeasurementList {
    protected final Map<String, Number> values = new LinkedHashMap<>()
    void put(String name, double value) { values.put(name, (float) value) }
    void close() {}
}
