# The prediction server. In a checkout of the project:
#   docker build -f DIR/images/server.Dockerfile -t metaverse-server:VERSION .
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /source
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE ./
COPY metaverse_env metaverse_env
COPY predictors predictors
COPY agents agents
COPY bridges bridges
COPY benchmarks benchmarks
RUN pip install --no-cache-dir --no-compile --prefix=/installed -c constraints.txt '.[serve]'

FROM python:3.11.13-slim-bookworm
COPY --from=build /installed /usr/local
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8000
ENTRYPOINT ["metaverse"]
CMD ["serve", "--host", "0.0.0.0"]
