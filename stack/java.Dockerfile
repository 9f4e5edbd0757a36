# The Java programs of pom.xml as images: `--target registry` and `--target connect`. Built by docker-compose.yml.
FROM maven:3.9-eclipse-temurin-17 AS jars
WORKDIR /build
COPY pom.xml .
RUN copy() { mvn -q -B -ntp -P "$1" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="/jars/$2"; } \
 && unpack() { mvn -q -B -ntp -P "$1" dependency:unpack-dependencies -DoutputDirectory="/jars/$2"; } \
 && copy kafka kafka \
 && copy avro-converter plugins/avro-converter \
 && unpack debezium-postgres plugins/debezium-postgres \
 && unpack debezium-jdbc plugins/debezium-jdbc \
 && unpack registry registry \
 && mv /jars/registry/*-runner.jar /jars/registry/runner.jar
# The service file that the converter lacks; see stack/jars.py.
RUN mkdir -p service/META-INF/services \
 && echo io.apicurio.registry.utils.converter.AvroConverter \
      > service/META-INF/services/org.apache.kafka.connect.storage.Converter \
 && jar --create --no-manifest --file /jars/plugins/avro-converter/service-files.jar -C service META-INF

FROM eclipse-temurin:17-jre AS java
RUN apt-get update \
 && apt-get install --yes --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /srv/millrace millrace
WORKDIR /srv/millrace

FROM java AS registry
COPY --from=jars /jars/registry registry
RUN mkdir data && chown millrace data
USER millrace
VOLUME /srv/millrace/data
EXPOSE 8080
ENTRYPOINT ["java", "-Xmx256m", "-XX:+UseSerialGC", "-Dquarkus.http.host=0.0.0.0", "-Dquarkus.http.port=8080", \
  "-Dquarkus.log.level=WARN", "-Dquarkus.datasource.jdbc.url=jdbc:h2:file:/srv/millrace/data/registry;WRITE_DELAY=0", \
  "-jar", "registry/runner.jar"]

FROM java AS connect
COPY --from=jars /jars/kafka kafka
COPY --from=jars /jars/plugins plugins
COPY config/connect.properties .
USER millrace
EXPOSE 8083
ENTRYPOINT ["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", "kafka/*", \
  "org.apache.kafka.connect.cli.ConnectDistributed", "connect.properties"]
